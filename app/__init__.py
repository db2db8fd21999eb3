"""The shell: everything that knows Streamlit, apart from the pages themselves."""
