package cache

// Weight is what the memory holds, in bytes, once evictions are done.
func (c *Cache[V]) Weight() int64 {
	c.memory.CleanUp()
	return int64(c.memory.WeightedSize())
}
