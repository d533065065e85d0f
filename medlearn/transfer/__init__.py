"""Fine-tuning in stages, with contracts that prove what moved and what did not.

    transfer.freeze(encoder)                              # 1: the head learns alone
    transfer.unfreeze(model, from_="block_12")            # 2: then deeper; compile again after each change
    transfer.assert_moved(model, before)                  # before = transfer.snapshot(model)
"""

from medlearn.transfer.contracts import (
    Snapshot,
    assert_bn_still,
    assert_frozen,
    assert_moved,
    check_labels,
    check_preprocessing,
    moved,
    snapshot,
)
from medlearn.transfer.l2sp import l2_sp
from medlearn.transfer.rates import by_depth, rates
from medlearn.transfer.stages import freeze, unfreeze

__all__ = [
    "Snapshot", "assert_bn_still", "assert_frozen", "assert_moved", "by_depth", "check_labels", "check_preprocessing",
    "freeze", "l2_sp", "moved", "rates", "snapshot", "unfreeze",
]
