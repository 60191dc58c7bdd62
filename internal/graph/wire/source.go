package wire

// Source yields the rows of a list one by one, and reads them in batches, until ok is false or
// there is an error. A row is valid until the next one is requested.
type Source[T any] func() (row T, ok bool, err error)

// SourceOf returns a Source of existing rows.
func SourceOf[T any](rows []T) Source[T] {
	return func() (row T, ok bool, err error) {
		if len(rows) > 0 {
			row, rows, ok = rows[0], rows[1:], true
		}
		return row, ok, nil
	}
}

// Mapped returns a Source of converted rows.
func Mapped[T, U any](next Source[T], wrap func(*T) U) Source[U] {
	return func() (row U, ok bool, err error) {
		from, ok, err := next()
		if ok {
			row = wrap(&from)
		}
		return row, ok, err
	}
}

// OneAfterAnother concatenates several sources.
func OneAfterAnother[T any](sources ...Source[T]) Source[T] {
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

// Finder finds rows by their ordinals, in ascending order, in a source with this order.
func Finder[T any](next Source[T], ordinal func(*T) uint32) func(wanted uint32) (*T, error) {
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

// AppendRows writes the rows of a list, without its brackets, and streams them.
func AppendRows[T any](r *Request, b []byte, next Source[T], write func([]byte, T) []byte) ([]byte, error) {
	for {
		row, ok, err := next()
		if err != nil || !ok {
			return b, err
		}
		b = write(AppendNext(b), row)
		if err := r.failed(); err != nil {
			return b, err
		}
		if b, err = r.More(b); err != nil {
			return b, err
		}
	}
}
