"""Fine-tuning in stages, with contracts that prove what moved and what did not.

transfer.freeze(encoder)                              # 1: the head learns alone
transfer.unfreeze(model, from_="block_12")            # 2: then deeper; compile again after each change
transfer.assert_moved(model, before)                  # before = transfer.snapshot(model)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
