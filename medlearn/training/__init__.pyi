from ._cluster import is_chief as is_chief
from ._cluster import strategy as strategy
from ._data import batches as batches
from ._loop import fit as fit
