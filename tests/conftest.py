"""For all tests: how long property tests look. None fails because the machine was busy; benchmarks measure time."""

import hypothesis

hypothesis.settings.register_profile("thorough", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=20)  # `make check`
hypothesis.settings.load_profile("thorough")
