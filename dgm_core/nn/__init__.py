"""What several topics' models share: solvers of differential equations."""
