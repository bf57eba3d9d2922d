"""The explorer: a Streamlit app that reads the current release like any other app.

It is read-only and uses only the public macros and relations. One module per view (``discover``,
``listener``, ``release``, ``experiments``); ``app`` is the script that Streamlit runs.
"""
