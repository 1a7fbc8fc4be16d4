"""The words every room uses: models and their validation, nothing that computes, reads or writes."""
