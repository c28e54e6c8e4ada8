"""What a function of yours may vendor from Dormouse: each module stands alone."""
