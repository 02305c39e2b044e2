"""For all tests: no property test fails because the machine was busy; benchmarks measure time."""

import hypothesis

hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")
