"""What a person gives to plan a change, by its types; light, for every import of doimages reads them."""

from collections.abc import Callable
from typing import Literal

from doimages.change.image import Image

# A text for all images, or a function of each as it is.
Value = str | Callable[[Image], str]
# What puts images into one series.
Per = Literal["name_prefix", "tag", "distribution"]
# What becomes of images that Droplets use.
InUse = Literal["warn", "refuse"]
