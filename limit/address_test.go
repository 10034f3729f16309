package limit_test

import (
	"net/netip"
	"testing"

	"github.com/accord-api/accord/limit"
)

func TestAddressAndNetwork(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct{ addr, address, network string }{
		{"203.0.113.77", "203.0.113.77", "203.0.113.0/24"},
		{"::ffff:203.0.113.77", "203.0.113.77", "203.0.113.0/24"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"},
		{"fe80::1%eth0", "fe80::/64", "fe80::/48"},
		{"::1", "::/64", "::/48"},
	} {
		addr := netip.MustParseAddr(tc.addr)
		if got := limit.Address(addr); got != tc.address {
			t.Errorf("Address(%s) = %q, want %q", tc.addr, got, tc.address)
		}
		if got := limit.Network(addr); got != tc.network {
			t.Errorf("Network(%s) = %q, want %q", tc.addr, got, tc.network)
		}
	}
	var none netip.Addr
	if a, n := limit.Address(none), limit.Network(none); a != "unknown" || n != "unknown" {
		t.Errorf("the zero address gives %q and %q", a, n)
	}
}
