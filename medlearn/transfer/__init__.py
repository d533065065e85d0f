"""Fine-tuning in stages, with contracts that prove what moved and what did not.

transfer.freeze(encoder)                     # first the head learns alone
transfer.unfreeze(model, from_="block_12")   # then from a block to the head; compile again
transfer.assert_moved(model, before)         # before = transfer.snapshot(model)
"""

import lazy_loader

from medlearn import _renamed

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = _renamed.with_old_names(
    __name__, __getattr__, {"by_depth": "layerwise_optimizer", "rates": "layerwise_rates"}
)
