package graph

import (
	"licensor/store"
	"licensor/tenant"
)

// deletedItem is the deleted user or group that the path names (P52).
func (r *request) deletedItem() (kind store.Kind, ordinal uint32, ok bool) {
	id, ok := parseGUID(r.keys[0])
	if !ok {
		return 0, 0, false
	}
	if user, ok := r.image.Directory.UserByID(id); ok && r.image.Directory.UserHidden(user) {
		return store.KindUser, user, true
	}
	if group, ok := r.image.Directory.GroupByID(id); ok && r.image.Directory.GroupHidden(group) {
		return store.KindGroup, group, true
	}
	return 0, 0, false
}

func (r *request) isDeletedGroup() bool {
	kind, _, ok := r.deletedItem()
	return ok && kind == store.KindGroup
}

// getDeletedItem answers GET /directory/deletedItems/{object}.
func (api *API) getDeletedItem(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	kind, ordinal, ok := r.deletedItem()
	if !ok {
		return notFound(r.keys[0])
	}
	return r.sendObject(r.image, kind, ordinal)
}

// sendObject answers with a user or group whose kind the address does not say.
func (r *request) sendObject(image *tenant.Image, kind store.Kind, ordinal uint32) error {
	var o object
	if kind == store.KindUser {
		document, image, err := r.tenant.UserNow(r.ctx, image, ordinal)
		if err != nil {
			return err
		}
		o.user = new(r.userAt(document, ordinal, image))
	} else {
		document, image, err := r.tenant.GroupNow(r.ctx, image, ordinal)
		if err != nil {
			return err
		}
		o.group = new(r.groupAt(document, ordinal, image))
	}
	return r.sendMixed(o)
}

// restoreDeletedItem answers POST /directory/deletedItems/{object}/restore.
func (api *API) restoreDeletedItem(r *request) error {
	if err := r.noBody(); err != nil {
		return err
	}
	kind, ordinal, ok := r.deletedItem()
	if !ok {
		return notFound(r.keys[0])
	}
	var command tenant.Command = tenant.RestoreGroup{Group: ordinal}
	if kind == store.KindUser {
		if err := r.mayTakeOver(ordinal); err != nil {
			return err
		}
		command = tenant.RestoreUser{User: ordinal}
	}
	done, err := r.do(command)
	if err != nil {
		return err
	}
	return r.sendObject(done.Image, kind, ordinal)
}

// purgeDeletedItem answers DELETE /directory/deletedItems/{object}.
func (api *API) purgeDeletedItem(r *request) error {
	kind, ordinal, ok := r.deletedItem()
	switch {
	case !ok:
		return notFound(r.keys[0])
	case kind == store.KindGroup:
		return r.change(tenant.PurgeGroup{Group: ordinal})
	}
	if err := r.mayTakeOver(ordinal); err != nil {
		return err
	}
	return r.change(tenant.PurgeUser{User: ordinal})
}
