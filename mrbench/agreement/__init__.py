"""How far the raters of a data set agree: read once, case by case, with intervals by bootstrap over subjects."""
