"""Read a user's own files as a `Dataset`, with a table of problems instead of a stack trace.

The functions are offered by `medlearn.datasets`: from_folder, from_table, from_boxes, from_masks.
"""
