//go:build !linux && !darwin

package checkpoint

import "errors"

func dropRights() error       { return errors.ErrUnsupported }
func boundFiles(uint64) error { return errors.ErrUnsupported }
