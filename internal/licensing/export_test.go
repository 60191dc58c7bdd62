package licensing

import "github.com/google/uuid"

// WishedPlans are the disabled plans of a variant as they were wished; nil for None.
func (img *Image) WishedPlans(v Variant) []uuid.UUID {
	if v == None {
		return nil
	}
	return append([]uuid.UUID{}, img.rules.variants[v].disabled...)
}
