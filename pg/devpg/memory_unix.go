//go:build unix && !linux

package devpg

// memoryFolder is a file system in memory; here there is none that is always
// mounted.
func memoryFolder() string { return "" }
