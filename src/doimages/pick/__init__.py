"""What a person picks of a frame of images: filters, facets with counts, a selection. Pure: no widget, no request."""
