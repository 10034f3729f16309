package limit

import "net/netip"

// unknownAddress is the key that callers without a usable address share:
// being counted together is stricter than not being counted.
const unknownAddress = "unknown"

// Address is the key of one client for limits by IP: the whole address for
// IPv4, the /64 for IPv6, of which one client commands every address.
func Address(addr netip.Addr) string {
	addr = addr.Unmap()
	if addr.Is4() {
		return addr.String()
	}
	return prefix(addr, 64)
}

// Network is the key of the neighbourhood that one party may be expected to
// command, for Backoff: the /24 for IPv4, the /48 for IPv6.
func Network(addr netip.Addr) string {
	addr = addr.Unmap()
	if addr.Is4() {
		return prefix(addr, 24)
	}
	return prefix(addr, 48)
}

func prefix(addr netip.Addr, bits int) string {
	p, err := addr.Prefix(bits)
	if err != nil || !p.IsValid() {
		return unknownAddress
	}
	return p.String()
}
