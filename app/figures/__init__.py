"""Arrays in, Altair or Plotly figure out; no Streamlit, no torch."""
