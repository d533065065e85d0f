"""Domain adaptation: from source images, source labels and unlabelled target images alone.

Each module takes one approach:

    colour         images of one domain in the colours of another
    scale          images of one domain at the magnification of another
    matching       features of both domains in one space (CORAL, subspaces, transport)
    harmonisation  features (ComBat) or greys of MR images (Nyul) of many domains alike
    statistics     BatchNorm statistics of the target images (AdaBN)
    entropy        scale and offset of BatchNorm, trained for low entropy on the target (TENT)
    source_free    all but the last layer, trained without any source image (SHOT)
    distances      how far two batches of features lie apart
    layers         a distance, or a domain discriminator, as a term of the loss of Keras' `fit`
    consistency    agreement with an average of oneself on perturbed images (mean teacher)
    self_training  pseudo-labels that stay balanced, and class prototypes
    prior          other class shares in the target (label shift)
    randomisation  source images in random stains, light and scale, or synthesised from their masks

`candidates` fits a dozen of these methods to frozen features, and `selection.choose` chooses one.

No function here has an argument for target labels; a test checks every signature.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
