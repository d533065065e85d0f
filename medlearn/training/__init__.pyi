from ._cluster import strategy as strategy
from ._data import batches as batches
from ._loop import fit as fit
from ._place import is_chief as is_chief
