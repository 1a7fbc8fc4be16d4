"""What the API takes and gives: the resources as its clients see them."""
