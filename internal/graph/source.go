package graph

// source yields the rows of a list one by one, and reads them in portions: until ok is false or
// there is an error. A row is good until the next one is asked for.
type source[T any] func() (row T, ok bool, err error)

func sourceOf[T any](rows []T) source[T] {
	return func() (row T, ok bool, err error) {
		if len(rows) > 0 {
			row, rows, ok = rows[0], rows[1:], true
		}
		return row, ok, nil
	}
}

// mapped yields what becomes of each row.
func mapped[T, U any](next source[T], wrap func(*T) U) source[U] {
	return func() (row U, ok bool, err error) {
		from, ok, err := next()
		if ok {
			row = wrap(&from)
		}
		return row, ok, err
	}
}

// oneAfterAnother yields the rows of several sources.
func oneAfterAnother[T any](sources ...source[T]) source[T] {
	return func() (row T, ok bool, err error) {
		for len(sources) > 0 {
			if row, ok, err = sources[0](); ok || err != nil {
				return row, ok, err
			}
			sources = sources[1:]
		}
		return row, false, nil
	}
}

// finder finds rows by their ordinals, which are asked for in ascending order, in a source that has
// them in this order.
func finder[T any](next source[T], ordinal func(*T) uint32) func(wanted uint32) (*T, error) {
	var row T
	ok, begun := true, false
	return func(wanted uint32) (_ *T, err error) {
		for ok && (!begun || ordinal(&row) < wanted) {
			if row, ok, err = next(); err != nil {
				return nil, err
			}
			begun = true
		}
		if !ok || ordinal(&row) != wanted {
			return nil, nil
		}
		return &row, nil
	}
}

// appendRows writes the rows of a list, without its brackets, and sends them on the way.
func appendRows[T any](r *request, b []byte, next source[T], write func([]byte, T) []byte) ([]byte, error) {
	for {
		row, ok, err := next()
		if err != nil || !ok {
			return b, err
		}
		b = write(appendNext(b), row)
		if err := r.failed(); err != nil {
			return b, err
		}
		if b, err = r.more(b); err != nil {
			return b, err
		}
	}
}
