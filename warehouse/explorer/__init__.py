"""The explorer: a Streamlit app that reads the current release as any other app does.

Read-only, by the public macros and relations alone. One module per view (``discover``,
``listener``, ``release``, ``experiments``); ``app`` is the script that Streamlit runs.
"""
