"""What may not be shown: texts without known secrets, without what has a secret's shape, and without terminal codes.

Owns the search for secrets in a text: as they are, cut by white space or invisible characters, escaped (JSON, percent, HTML;
also one in another), in base64 at any offset and in hexadecimal; and the shapes that are secret whoever's they are.

Does not own which secrets there are (`known_secrets`), nor which properties are marked as secret (`values`).
"""

import base64
import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import quote_plus

SECRET_TEXT: Final = "[secret]"  # noqa: S105 - what is shown instead of one
MIN_SECRET: Final = 8  # a shorter one is in too many words to be searched for
_LEVELS_OF_ESCAPING = 3
_SHORT = 200  # a text that is remembered once it was searched
_LINE_OF_A_SECRET = 20  # a line of a longer secret, such as a PEM file, is a secret from this length on

# --- names ------------------------------------------------------------------------------------------------------------

_SECRET_WORDS = re.compile(r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|APIKEY")
_SECRET_PARTS = frozenset({"KEY", "KEYS", "PAT", "AUTH"})
_IDENTIFIERS = ("SCW_ACCESS_KEY",)  # the half of the pair that logs and policies name


def says_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret: `DB_PASSWORD`, but no `AWS_ACCESS_KEY_ID`."""
    upper = name.upper()
    if upper in _IDENTIFIERS or upper.endswith(("_ID", "_NAME")):
        return False
    return bool(_SECRET_WORDS.search(upper)) or not _SECRET_PARTS.isdisjoint(re.split(r"[^A-Z0-9]+", upper))


# --- characters -------------------------------------------------------------------------------------------------------

_TERMINAL_CODES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]|<\{%[a-z 0-9]*%\}>"
)
# Controls but tab and line feed, and what is invisible or turns the direction of text.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029\x85]")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")  # JSON can express them, UTF-8 cannot


def clean(text: str) -> str:
    """The text without terminal codes, controls and invisible characters; line ends are line feeds."""
    if text.isascii() and text.isprintable() and "<{%" not in text:
        return text
    text = _LINE_ENDS.sub("\n", _TERMINAL_CODES.sub("", text))
    return _LONE_SURROGATES.sub("\ufffd", _INVISIBLE.sub("", text))


# --- views: a text as whoever decodes it would read it, with the place of each character in the text --------------------

Places = list[tuple[int, int]]
_JSON = re.compile(r"(?P<u>(?:\\u[0-9a-fA-F]{4})+)|\\x(?P<x>[0-9a-fA-F]{2})|\\(?P<one>.)", re.DOTALL)
_PERCENT = re.compile(r"(?P<percent>(?:%[0-9a-fA-F]{2})+)")
_HTML = re.compile(r"(?P<entity>&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});)")
_ESCAPES = (("\\", _JSON), ("%", _PERCENT), ("&", _HTML))  # and the character without which there is none
_MAX_VIEWS = 16
_NOTHING = re.compile(f"{_TERMINAL_CODES.pattern}|{_INVISIBLE.pattern}")
_SPACE = re.compile(r"\s+")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def _decoded(match: re.Match[str]) -> Iterator[tuple[str, int]]:
    """What an escape stands for: each character with the length of its own part of the escape."""
    kind = str(match.lastgroup)
    value = match[kind]
    if kind == "u":
        units = b"".join(int(value[n : n + 4], 16).to_bytes(2, "little") for n in range(2, len(value), 6))
        for character in units.decode("utf-16-le", "surrogatepass"):
            yield character, 12 if ord(character) > 0xFFFF else 6
    elif kind == "percent":
        for character in bytes.fromhex(value.replace("%", "")).decode("utf-8", "surrogateescape"):
            yield character, 3 * len(character.encode("utf-8", "surrogateescape"))
    elif kind == "entity":
        yield html.unescape(value), match.end() - match.start()
    else:
        yield chr(int(value, 16)) if kind == "x" else _LETTERS.get(value, value), match.end() - match.start()


class _Known(dict[str, str]):
    """What each escape stands for: a text has few different ones, and thousands of them."""

    def of(self, match: re.Match[str]) -> str:
        escape = match[0]
        if escape not in self:
            if len(self) > 10_000:
                self.clear()
            decoded = "".join(character for character, _ in _decoded(match))
            self[escape] = _LONE_SURROGATES.sub("\ufffd", decoded).replace("\r", "\n")  # one for one, as in `clean`
        return self[escape]


_known_escapes = _Known()
# What most texts have, undone by replacing all of one kind at once, which is much faster. The first waits as a character
# that no clean text has, so that nothing is undone twice.
_HELD = "\0"
_QUICK: Final = {
    _JSON: (("\\\\", _HELD), ('\\"', '"'), ("\\n", "\n"), ("\\t", "\t"), ("\\r", "\n"), ("\\/", "/"), (_HELD, "\\")),
    _HTML: (
        ("&amp;", _HELD),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", '"'),
        ("&#39;", "'"),
        ("&#34;", '"'),
        (_HELD, "&"),
    ),
}


def _undone(text: str, sign: str, pattern: re.Pattern[str]) -> str:
    """The text with one level of these escapes undone."""
    quick = text
    for escape, character in _QUICK.get(pattern, ()):
        if escape == _HELD and (sign in quick and pattern.search(quick)):
            break
        quick = quick.replace(escape, character)
    else:
        if pattern in _QUICK:
            return quick
    return pattern.sub(_known_escapes.of, text)


def _decoded_places(text: str, pattern: re.Pattern[str]) -> Places:
    places: Places = []
    at = 0
    for match in pattern.finditer(text):
        places.extend((n, n + 1) for n in range(at, match.start()))
        at = match.start()
        for characters, size in _decoded(match):
            places.extend([(at, at + size)] * len(characters))
            at += size
    places.extend((n, n + 1) for n in range(at, len(text)))
    return places


def _kept_places(text: str, pattern: re.Pattern[str]) -> Places:
    places: Places = []
    at = 0
    for match in pattern.finditer(text):
        places.extend((n, n + 1) for n in range(at, match.start()))
        at = match.end()
    places.extend((n, n + 1) for n in range(at, len(text)))
    return places


@dataclass
class _View:
    """A text, and where each of its characters stands in the original: reckoned only where something was found."""

    text: str
    of: "_View | None" = None
    step: Callable[[str], Places] | None = None

    @cached_property
    def places(self) -> Places | None:
        if self.of is None or self.step is None:
            return None
        inner, outer = self.step(self.of.text), self.of.places
        return inner if outer is None else [(outer[start][0], outer[end - 1][1]) for start, end in inner]

    def spans(self, found: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """What was found here, as places in the original."""
        for start, end in found:
            places = self.places
            yield (start, end) if places is None else (places[start][0], places[end - 1][1])

    def decoded(self, sign: str, pattern: re.Pattern[str]) -> "_View":
        """With one level of these escapes undone, and without what is invisible then."""
        text = _undone(self.text, sign, pattern)
        view = _View(text, self, lambda given: _decoded_places(given, pattern))
        if text.isascii() and text.isprintable():
            return view
        return _View(_NOTHING.sub("", text), view, lambda given: _kept_places(given, _NOTHING))

    def without_space(self) -> "_View | None":
        text = "".join(self.text.split())
        if len(text) == len(self.text):
            return None
        return _View(text, self, lambda given: _kept_places(given, _SPACE))


def _views(text: str) -> Iterator[_View]:
    """The text itself, and with levels of escapes undone, each kind for itself: a secret may hold what looks like one."""
    level = [_View(text)]
    seen = {text}
    yield level[0]
    for _ in range(_LEVELS_OF_ESCAPING):
        level = [view.decoded(sign, pattern) for view in level for sign, pattern in _ESCAPES if sign in view.text]
        level = [view for view in level if not (view.text in seen or seen.add(view.text))]  # type: ignore[func-returns-value] # None is falsy
        for view in level:
            if len(seen) > _MAX_VIEWS:
                return
            yield view


# --- what is searched for ---------------------------------------------------------------------------------------------

_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"


@dataclass(frozen=True)
class _Shape:
    """What a secret looks like. Where the pattern has a group, only that is secret: the rest says what it was.

    `words`, in lower case: one of them is in every match. A text is searched for them much faster than for the pattern.
    """

    words: tuple[str, ...]
    pattern: re.Pattern[str]


def _shape(words: str, pattern: str, flags: int = 0) -> _Shape:
    return _Shape(tuple(words.split()), re.compile(pattern, flags))


_SHAPES = (
    _shape(
        "glpat- glrt- glrtr- gldt- glptt- glcbt- gloas- glsoat- glft- glimt- glagent- glffct- glwt-",
        r"\bgl(?:pat|rt|rtr|dt|ptt|cbt|oas|soat|ft|imt|agent|ffct|wt)-[\w.=-]{16,}",
    ),
    # JWT. Looked for once in each run of its characters: a long run may hold thousands of beginnings and no end.
    _shape("eyj", r"(?<![\w-])(?>[\w-]*?\b(?=eyJ[\w-]{8}))([\w-]++\.[\w-]{8,}(?:\.[\w-]*)?)"),
    _shape(
        "-----begin",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|\Z)",
        re.DOTALL,
    ),
    _shape(
        "pul- gho_ ghp_ ghs_ ghu_ ghr_ age-secret-key",
        r"\b(?:pul-[0-9a-f]{32,}|gh[opsur]_\w{30,}|AGE-SECRET-KEY-1\w{20,})",
    ),
    _shape("scw", rf"\bSCW[A-Z0-9]{{17}}\b[^\n]{{0,40}}?\b({_UUID})\b"),  # the pair of a Scaleway key
    _shape("://", r"://[^\s/:@]*:([^\s/@]+)@"),
    _shape("bearer basic", r"\b(?:bearer|basic)\s+([\w.~+/=-]{16,})", re.IGNORECASE),
    _shape(
        "secretkey secret_key secret-key privatekey private_key private-key apikey api_key api-key passw passphrase token",
        r"(?:secret[_-]?key|password|passwd|passphrase|private[_-]?key|api[_-]?key|token)[\"'\\]*\s*[:=]\s*[\"'\\]*"
        r"(?!:|[A-Za-z]\w*(?:::|\$))"  # in a URN, `iam/apiKey:ApiKey::name`
        r"((?=[^\s\"',;]{0,500}\d)[^\s\"'\\,;}\]\[]{8,})",  # with a digit: a word may follow, too
        re.IGNORECASE,
    ),
)
_REACH = 512  # characters of a shape from its first to where it is recognised
_LONG = 8_192  # of one that has no end of its own
_LONG_SHAPES = ("-----BEGIN", "eyJ", "PRIVATE KEY")
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/=_-]*")


def _cores(secret: bytes) -> Iterator[str]:
    """What every base64 text with these bytes in it holds: for each offset, the characters that no neighbour changes."""
    for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            text = encode(b"\0" * offset + secret).decode().rstrip("=")
            first = (0, 2, 3)[offset]
            last = (offset + len(secret)) * 8 // 6
            yield text[first:last]


def _parts(secret: str) -> Iterator[str]:
    """The secret, with and without space around, and its longer lines: of a key in PEM, one line is too much."""
    yield from (part for part in {secret, secret.strip()} if len(clean(part)) >= MIN_SECRET)
    lines = [line.strip() for line in secret.splitlines()[:200]]
    if len(lines) > 1:  # the frame of a PEM file is in every other one
        yield from (line for line in lines if len(line) >= _LINE_OF_A_SECRET and not line.startswith("-----"))


def _bytes(text: str) -> bytes:
    """As the environment holds it, which may be no UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


class Redactor:
    """Texts in which every known secret, and what looks like one, has become `[secret]`.

    Args: the secrets; those under eight characters are left out, or words would vanish.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        plain: set[str] = set()
        encoded: set[str] = set()
        for secret in secrets:
            for part in _parts(secret):
                shown = clean(part)
                plain |= {shown, _SPACE.sub("", shown), quote_plus(part, errors="replace")}
                for raw in {_bytes(part), _bytes(shown)}:
                    encoded |= {core for core in _cores(raw) if len(core) >= MIN_SECRET}
                    encoded |= {raw.hex(), raw.hex().upper()}
        # A longer one first is not needed: all are searched for, and what they cover is joined.
        self._plain = sorted(p for p in plain if len(p) >= MIN_SECRET - 2)  # what is without space is shorter
        self._encoded = sorted(encoded)
        # How far a secret may reach into what is shown, and out of it. Twelve: escaped, in what is escaped.
        self._reach = _REACH + 12 * max(map(len, plain), default=0)
        self._seen: dict[str, str] = {}

    def text(self, text: str, limit: int | None = None, start: int = 0) -> str:
        """The text as it may be shown; with a limit, that many of its characters from `start`, and how many more follow.

        What is cut off is cut after the search: a secret is never shown in part.
        """
        if limit is not None or len(text) > _SHORT:
            return self._shown(text, len(text) if limit is None else limit, start)
        if text not in self._seen:  # names and types come again and again
            if len(self._seen) > 10_000:
                self._seen.clear()
            self._seen[text] = self._shown(text, len(text), 0)
        return self._seen[text]

    def _shown(self, text: str, limit: int, start: int) -> str:
        skipped = max(0, start - self._reach)
        if start and any(word in text for word in _LONG_SHAPES):
            skipped = max(0, skipped - _LONG)
        window = clean(text[skipped : start + limit + self._reach])
        at, end = start - skipped, start - skipped + limit
        pieces: list[str] = []
        for first, last in self._spans(window):
            if last <= at:
                continue
            if first >= end:
                break
            pieces += [window[at:first], SECRET_TEXT]
            at = last
        pieces.append(window[at:end])
        more = len(text) - start - limit
        if more > 0:
            pieces.append(f"… (+{more:,} characters)")
        return "".join(pieces)

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Where secrets are, in order and joined where they overlap."""
        found: list[tuple[int, int]] = []
        if len(text) < MIN_SECRET:
            return found
        for view in _views(text):
            found += self._known(text, view)
            if narrow := view.without_space():  # a secret may be cut by a line end
                found += self._known(text, narrow)
            lower = view.text.lower()
            for shape in _SHAPES:
                if any(word in lower for word in shape.words):
                    found += view.spans(m.span(m.lastindex or 0) for m in shape.pattern.finditer(view.text))
        return _joined(found)

    def _known(self, text: str, view: _View) -> Iterator[tuple[int, int]]:
        for needle in self._plain:
            if needle in view.text:
                yield from view.spans(_all(view.text, needle))
        for needle in self._encoded:
            if needle in view.text:
                yield from (_whole_run(text, span) for span in view.spans(_all(view.text, needle)))


def _all(view: str, needle: str) -> Iterator[tuple[int, int]]:
    at = view.find(needle)
    while at >= 0:
        yield at, at + len(needle)
        at = view.find(needle, at + 1)


def _whole_run(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """A secret in base64 shares characters with its neighbours: the whole text in base64 goes."""
    start = span[0]
    while start and (text[start - 1].isalnum() or text[start - 1] in "+/_-"):
        start -= 1
    after = _BASE64_RUN.match(text, span[1])
    return start, after.end() if after else span[1]


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif end > start:
            joined.append((start, end))
    return joined
