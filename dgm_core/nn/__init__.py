"""What several topics' models share: solvers, splines, quantisers of vectors, models of codes."""
