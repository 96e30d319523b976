"""Statistics for policy: one definition, counted where the files are, by packages that record differently.

What leaves a public centre for welfare is an aggregate: how many, never who. Small figures are kept back before it leaves."""
