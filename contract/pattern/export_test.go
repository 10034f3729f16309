package pattern

// Printed is the expression as this package writes it.
func (p *Pattern) Printed() string { return p.tree.String() }
