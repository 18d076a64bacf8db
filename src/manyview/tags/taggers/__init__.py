"""The taggers that come with manyview, one a file; each loads its heavy library when it is asked for."""
