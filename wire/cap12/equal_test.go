package cap12

import (
	"fmt"
	"reflect"
	"time"
)

// unlike says where two alerts differ, "" where they do not. Times are the same if the
// instant and the offset are; nil and empty slices are the same.
func unlike(a, b Alert) string { return differ("alert", reflect.ValueOf(a), reflect.ValueOf(b)) }

func differ(path string, a, b reflect.Value) string {
	if t, ok := a.Interface().(time.Time); ok {
		u := b.Interface().(time.Time)
		_, x := t.Zone()
		if _, y := u.Zone(); !t.Equal(u) || x != y {
			return fmt.Sprintf("%s: %v, %v", path, t, u)
		}
		return ""
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if d := differ(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i)); d != "" {
				return d
			}
		}
	case reflect.Slice:
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s: %d of them, %d of them", path, a.Len(), b.Len())
		}
		for i := range a.Len() {
			if d := differ(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i)); d != "" {
				return d
			}
		}
	case reflect.Pointer:
		if a.IsNil() != b.IsNil() {
			return path + ": one is absent"
		}
		if !a.IsNil() {
			return differ(path, a.Elem(), b.Elem())
		}
	default:
		if a.Interface() != b.Interface() {
			return fmt.Sprintf("%s: %#v, %#v", path, a.Interface(), b.Interface())
		}
	}
	return ""
}
