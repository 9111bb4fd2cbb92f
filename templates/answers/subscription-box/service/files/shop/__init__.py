"""The shop: what customers see (`storefront`), what whoever packs the boxes sees (`counter`), and the drawings."""
