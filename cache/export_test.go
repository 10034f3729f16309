package cache

// Weight is what the memory holds, in bytes, once evictions are done.
func (c *Cache[V]) Weight() int64 {
	c.memory.CleanUp()
	return int64(c.memory.WeightedSize())
}

// Lookup gives what is kept in memory and may be given.
func (c *Cache[V]) Lookup(key string) (v V, ok bool) {
	if !c.fresh() {
		return v, false
	}
	return c.kept(key)
}
