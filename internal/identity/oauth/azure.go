package oauth

// list is a page of Azure Resource Manager with all there is.
type list[T any] struct {
	Value []T `json:"value"`
}

type azureTenant struct {
	ID       string `json:"id"`
	TenantID string `json:"tenantId"`
	Category string `json:"tenantCategory"`
}

// subscriptions answers GET /subscriptions of Azure Resource Manager, which az asks after each
// login: nobody has a subscription of Azure here.
func (s *Server) subscriptions(c *call) (any, error) {
	_, err := s.bearer(c)
	return list[struct{}]{Value: []struct{}{}}, err
}

// azureTenants answers GET /tenants of Azure Resource Manager: that of the caller.
func (s *Server) azureTenants(c *call) (any, error) {
	caller, err := s.bearer(c)
	if err != nil {
		return nil, err
	}
	id := caller.Tenant.String()
	return list[azureTenant]{[]azureTenant{{ID: "/tenants/" + id, TenantID: id, Category: "Home"}}}, nil
}
