"""The domain: datasets, their tables, who may do what with them. Imports no other package of ours."""
