"""Writes what follows from the code: settings and outputs as documentation, and the plugin's arguments and schema.

`python docs/generate.py` (or `make docs`) writes them; with `--check` it writes nothing and fails where one is stale.
Owns their form. Does not own what they say: `sections/`, the docstrings of the rules in `setting_rules.py`, and
`outputs.py` do.
"""

import argparse
import collections.abc
import dataclasses
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # started as a script, it finds docs/ only

from pydantic.alias_generators import to_camel

import outputs
import setting_rules
import settings

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "kapsule-devops"  # as in Pulumi.yaml: the prefix of the keys in a stack file
HEADER = "<!-- Written by `make docs` (docs/generate.py) from the code. Change it there. -->\n\n"

Schema = dict[str, Any]

# What a number counts, by the last word of its key; a number without a word here is an error. Texts may have one.
UNITS = {
    "days": "days",
    "seconds": "seconds",
    "sec": "seconds",
    "hour": "hour, UTC",
    "gb": "GB",
    "size": "nodes",
    "threshold": "share",
    "concurrent": "jobs",
    "approvals": "approvals",
    "serial": "count",
    "ports": "TCP port",
    "user_id": "GitLab user id",
    "cidrs": "IPv4 network, like `10.0.0.0/8`",
    "subnet": "IPv4 network, like `10.0.0.0/24`",
    "cron": "minute, hour, day of the month, month and weekday",
    "timezone": "IANA name",
}
TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def schema_of_settings() -> Schema:
    return settings.Settings.model_json_schema(by_alias=True)


# --- docs/configuration.md


def configuration() -> str:
    """Every key in a table for each section, below the rules between keys."""
    whole = schema_of_settings()
    text = f"""{HEADER}# Settings

Every key of a stack file `Pulumi.<env>.yaml`, by its full name: `runnerPool.size` is the key `size` of
`{PROJECT}:runnerPool`. `[n]` stands for the number of an item of a list, from 0. A key is set with
`pulumi config set --path 'runnerPool.size' 3`. "Or else" says what goes wrong where the value is not right. For an editor,
`docs/settings.schema.json` has the same as a JSON Schema.

## Rules between keys

"""
    text += "".join(f"- {rule}\n" for rule in rules())
    for name, each in whole["properties"].items():
        text += f"\n## {name}\n\n"
        model = _model(whole, each)
        if model is not None:
            text += f"{model['description']}\n\n"
        text += "| Key | Type | Allowed | Default | Meaning | Or else |\n|---|---|---|---|---|---|\n"
        text += "".join(_row(cells) for cells in keys(whole, name, each, required=name in whole["required"]))
    return text


def rules() -> Iterator[str]:
    """What the docstrings of setting_rules.py's checks say, in the order of the code."""
    for name, check in vars(setting_rules).items():
        if name.endswith("_checks") and name != "cross_checks":
            if not check.__doc__:
                raise ValueError(f"setting_rules.{name} has no docstring: it is the documentation of its rules")
            yield " ".join(check.__doc__.split())


def keys(whole: Schema, key: str, schema: Schema, *, required: bool) -> Iterator[tuple[str, ...]]:
    """The cells of a key's row, then of each key inside it."""
    model, inner = _model(whole, schema), _not_null(schema)
    default = "required" if required and key != "environment" else _default(whole, schema)
    yield f"`{key}`", type_of(inner), allowed(key, inner), default, schema["description"], schema["consequence"] + "."
    if model is not None:
        here = f"{key}[n]" if inner.get("type") == "array" else key
        for name, each in model["properties"].items():
            yield from keys(whole, f"{here}.{name}", each, required=name in model.get("required", ()))


def type_of(schema: Schema) -> str:
    if "$ref" in schema:
        return "object"
    if schema["type"] == "array":
        return f"list of {type_of(schema['items'])}"
    return "object of text" if schema["type"] == "object" else TYPES[schema["type"]]


def allowed(key: str, schema: Schema) -> str:
    """Values or range with its unit, length and pattern; of a list, of its items, too."""
    if schema.get("type") == "array":
        parts = [_span(schema.get("minItems"), schema.get("maxItems"), "item"), allowed(key, schema["items"])]
        return "; ".join(part for part in parts if part)
    parts = [", ".join(f"`{each}`" for each in schema.get("enum", ()))]
    words = re.findall(r"[a-z]+", re.sub(r"([A-Z])", lambda m: "_" + m[1].lower(), key))
    unit = UNITS.get("_".join(words[-2:])) or UNITS.get(words[-1])
    if schema.get("type") in ("integer", "number"):
        if unit is None:
            raise ValueError(f"{key} is a number without a unit: add its last word to UNITS in docs/generate.py")
        parts.append(f"{_span(schema.get('minimum'), schema.get('maximum'))} ({unit})")
    elif unit is not None:
        parts.append(unit)
    parts.append(_span(schema.get("minLength"), schema.get("maxLength"), "character"))
    patterns = [schema["pattern"]] if "pattern" in schema else []
    parts += [f"matches `{pattern}`" for pattern in patterns]
    parts += [f"names match `{pattern}`" for pattern in schema.get("patternProperties", ())]
    return "; ".join(part for part in parts if part)


def _span(low: float | None, high: float | None, what: str = "") -> str:
    if low is None and high is None:
        return ""
    text = f"{low} – {high}" if low is not None and high is not None else ""
    text = text or (f"at least {low}" if low is not None else f"at most {high}")
    plural = "s" if what and (low if high is None else high) != 1 else ""
    return f"{text} {what}{plural}".strip()


def _default(whole: Schema, schema: Schema) -> str:
    """In JSON; of an object, where it says no more than its keys do, that."""
    if "default" not in schema:
        return "the stack's name"  # only `environment` is required of the model and not of the user
    value, model = schema["default"], _model(whole, schema)
    if value is None:
        return "not set"
    if isinstance(value, dict) and model is not None:
        return "of its keys"
    if isinstance(value, list) and model is not None:
        value = [{k: v for k, v in each.items() if v != model["properties"][k].get("default")} for each in value]
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _model(whole: Schema, schema: Schema) -> Schema | None:
    """The schema of the section that a key is, or whose items it lists."""
    inner = _not_null(schema)
    inner = inner.get("items", inner)
    return whole["$defs"][inner["$ref"].rpartition("/")[2]] if "$ref" in inner else None


def _not_null(schema: Schema) -> Schema:
    return next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


# --- docs/outputs.md


def contract() -> str:
    """Every output, and what the contract's version promises."""
    what_it_owns, _, promise = " ".join(str(inspect.getdoc(outputs)).partition("\n\n")[2].split()).partition(". ")
    if not (what_it_owns.startswith("Owns ") and "CONTRACT_VERSION" in promise):
        raise ValueError("outputs.py's docstring is to say what it owns, then what CONTRACT_VERSION promises")
    promise = promise.replace("CONTRACT_VERSION", "`contractVersion`")
    text = f"""{HEADER}# Outputs

{outputs.EnvironmentOutputs.__doc__}

```python
dev = pulumi.StackReference("organization/{PROJECT}/dev")
cluster_id = dev.require_output("clusterId")
```

The contract's version is the output `contractVersion`, now {outputs.CONTRACT_VERSION}. {promise}

Names and types are the contract's. A value stays the same as long as the last column says; it is read again with each
`pulumi up` of the reader.

| Output | Type | Meaning | Stays the same |
|---|---|---|---|
"""
    text += _row(("`contractVersion`", "whole number", "Version of this contract.", "until the contract breaks"))
    for each in dataclasses.fields(outputs.EnvironmentOutputs):
        annotation, meaning, stays = get_args(each.type)
        text += _row((f"`{to_camel(each.name)}`", output_type(annotation), meaning, stays))
    return text


def output_type(annotation: Any) -> str:
    """In words; of an Input, what it comes to."""
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation in (str, int, bool, Any):
        return {str: "text", int: "whole number", bool: "true or false"}.get(annotation, "anything")
    if origin is collections.abc.Mapping:
        inner = output_type(args[1])
        return "object" if inner == "anything" else f"object of {inner}"
    if origin is collections.abc.Sequence:
        return f"list of {output_type(args[0])}s"
    return output_type(args[0])  # Input[T] is T, or what will be one


# --- docs/settings.schema.json


def stack_file_schema() -> str:
    """A JSON Schema for a whole stack file: Pulumi's own keys are let be, unknown ones of this project are not."""
    whole = schema_of_settings()
    properties = {f"{PROJECT}:{name}": _for_editors(each) for name, each in whole["properties"].items()}
    config: Schema = {
        "type": "object",
        "properties": properties,
        "patternProperties": {f"^(?!{PROJECT}:)": {}},  # of other projects and of providers
        "additionalProperties": False,
        "required": [f"{PROJECT}:{name}" for name in whole["required"] if name != "environment"],
    }
    schema: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Written by `make docs` (docs/generate.py) from the code. Change it there.",
        "title": f"A stack file of {PROJECT}",
        "type": "object",
        "properties": {"config": config},
        "required": ["config"],
        "$defs": {name: _for_editors(each) for name, each in whole["$defs"].items()},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _for_editors(schema: Schema) -> Schema:
    """What goes wrong is part of the description; generated titles and examples that are the default say nothing."""
    left = {k: v for k, v in schema.items() if k not in ("title", "consequence")}
    if "consequence" in schema:
        left["description"] = f"{schema['description']} Or else: {schema['consequence']}."
    if schema.get("default") is not None or schema.get("examples") == [None]:
        left.pop("examples", None)
    if "properties" in schema:
        left["properties"] = {name: _for_editors(each) for name, each in schema["properties"].items()}
    if "patternProperties" in schema:
        left["additionalProperties"] = False
    if schema.get("type") == "number":  # `pulumi config set --path` stores 0.5 as text
        left["type"] = ["number", "string"]
    return left


# --- components/arguments.py and docs/plugin.schema.json

# Sections that the plugin takes as arguments, and what of them belongs to the program of this repository alone.
ARGUMENTS = ("scaleway", "kubernetes", "runners", "appCluster", "rotation", "stateBackend", "runnerChart", "gitlab")
NO_ARGUMENTS = ("gitlab.operationsProject", "gitlab.schedules")
# Asked for where the component makes protections, which one argument says (`components/runner_environment.py`).
OPTIONAL_ARGUMENTS = ("gitlab.branch", "gitlab.mailingListUserId")
PYTHON = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


def arguments() -> str:
    """A TypedDict for each section that the plugin takes: Pulumi's SDK reads a schema off these only."""
    whole, classes = schema_of_settings(), dict[str, str]()
    for name in ARGUMENTS:
        _argument_type(whole, name, whole["properties"][name], classes)
    return (
        '"""Arguments that are sections of the settings. Written by `make docs` (docs/generate.py) from them."""\n\n'
        "from collections.abc import Mapping, Sequence\nfrom typing import NotRequired, TypedDict\n"
        + "".join(classes.values())
    )


def _argument_type(whole: Schema, key: str, schema: Schema, classes: dict[str, str]) -> str:
    """A key's type in Python; what classes it needs are put into `classes`, each after those that it needs itself."""
    inner = _not_null(schema)
    if inner.get("type") == "array":
        return f"Sequence[{_argument_type(whole, key, inner['items'], classes)}]"
    if inner.get("type") == "object":
        return "Mapping[str, str]"
    if "$ref" not in inner:
        return PYTHON[inner["type"]]
    name = str(inner["$ref"]).rpartition("/")[2].removesuffix("Settings")
    if name not in classes:
        model = whole["$defs"][f"{name}Settings"]
        text = f'\n\nclass {name}(TypedDict):\n    """{model["description"]}"""\n\n'
        for inside, each in model["properties"].items():
            path = f"{key}.{inside}"
            if path in NO_ARGUMENTS:
                continue
            required = inside in model.get("required", ()) and path not in OPTIONAL_ARGUMENTS
            kind = _argument_type(whole, path, each, classes)
            text += f"    {inside}: {kind if required else f'NotRequired[{kind}]'}\n"
            text += f'    """{_argument_description(whole, path, each)}"""\n'
        classes[name] = text
    return name


def _argument_description(whole: Schema, key: str, schema: Schema) -> str:
    told = [schema["description"]]
    if rule := allowed(key, _not_null(schema)):
        told.append(f"Allowed: {rule}.")
    if "default" in schema and schema["default"] not in (None, {}) and _model(whole, schema) is None:
        told.append(f"Default: {_default(whole, schema)}.")
    told.append(f"Or else: {schema['consequence']}.")
    return " ".join(told).replace("\\", "\\\\")


def plugin_schema() -> str:
    """What `pulumi package get-schema` says of `plugin/`, made without the engine."""
    import sdks  # noqa: F401 - it says how the others import; nothing else here needs these, which take long

    # isort: split
    from plugin.host import provider

    return json.dumps(json.loads(str(provider().schema)), indent=2, ensure_ascii=False) + "\n"


FILES: dict[str, Callable[[], str]] = {
    "docs/configuration.md": configuration,
    "docs/outputs.md": contract,
    "docs/settings.schema.json": stack_file_schema,
    "components/arguments.py": arguments,
    "docs/plugin.schema.json": plugin_schema,  # after the arguments, which it reads
}


def stale() -> Iterator[tuple[str, str]]:
    """The names of the files that are not what the code says, and what they should hold.

    One after another: what is made of a file that is written meanwhile is made of the new one.
    """
    for name, text in FILES.items():
        wanted = text()
        if not (ROOT / name).exists() or (ROOT / name).read_text() != wanted:
            yield name, wanted


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the documentation that is in the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is stale")
    check = parser.parse_args().check
    found = 0
    for name, wanted in stale():
        found += 1
        if check:
            print(f"error: {name} is stale. Fix: make docs", file=sys.stderr)
        else:
            (ROOT / name).parent.mkdir(exist_ok=True)
            (ROOT / name).write_text(wanted)
            print(f"{name} written")
    return int(check and bool(found))


if __name__ == "__main__":
    sys.exit(main())
