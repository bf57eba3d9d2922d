"""The release over HTTP: a small read-only API, a downstream reader like any other.

It uses only the public macros and relations. A path of the API is the name of a macro or relation,
its parameters are their arguments; `endpoints` lists them, `app` puts them behind HTTP, `launch`
starts the processes.
"""
