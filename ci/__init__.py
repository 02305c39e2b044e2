"""What pipelines call: `python -m ci.promote` and its like.

Each tool reads its variables from the job, talks to GitLab's API and says what it did on standard output. When it could not,
it ends with one line on standard error and a code other than 0. Nothing here knows the program, its settings or the sandbox.
"""
