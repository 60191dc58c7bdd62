package problem

import (
	"net/http"
	"strconv"

	"licensor/internal/graph/odata"
)

// RefuseCondition returns the response to a condition of a filter that is not supported for some
// rows, in the words of the real service. A detail names the condition.
func RefuseCondition(filter *odata.Filter, n odata.Node, of string) error {
	return &ResponseError{
		Status: http.StatusBadRequest, Code: CodeBroken, Message: "Invalid filter clause",
		Detail: &Detail{
			Code: CodeBroken, Target: "$filter",
			Message: "The condition at position " + strconv.Itoa(filter.Column(n)) + " of the filter is not " +
				"supported for " + of + ".",
		},
	}
}
