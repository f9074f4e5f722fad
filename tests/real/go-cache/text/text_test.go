package text

import "testing"

func TestNames(t *testing.T) {
	if Server == Client {
		t.Fail()
	}
}
