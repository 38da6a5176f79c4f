package mapping

// A few is a map that most often holds very little, and then costs no more than a list.
type few[K comparable, V any] struct {
	list []pair[K, V]
	more map[K]V // all of it, once the list is long
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

const fewest = 16

// get returns the value of a key, and whether it has one.
func (f *few[K, V]) get(k K) (v V, ok bool) {
	if f.more != nil {
		v, ok = f.more[k]
		return v, ok
	}
	for i := range f.list {
		if f.list[i].key == k {
			return f.list[i].value, true
		}
	}
	return v, false
}

// has reports whether a key has a value.
func (f *few[K, V]) has(k K) bool {
	_, ok := f.get(k)
	return ok
}

// put gives a value to a key that has none.
func (f *few[K, V]) put(k K, v V) {
	switch {
	case f.more != nil:
		f.more[k] = v
	case len(f.list) < fewest:
		f.list = append(f.list, pair[K, V]{k, v})
	default:
		f.more = make(map[K]V, 2*fewest)
		for _, p := range f.list {
			f.more[p.key] = p.value
		}
		f.more[k] = v
	}
}
