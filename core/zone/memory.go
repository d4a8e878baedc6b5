package zone

import "maps"

// Memory is what the set knows of ids that only earlier ones had (see Remember): each with
// the zone or region that holds it now, or Everywhere. It is the caller's.
func (s *Set) Memory() map[ID]ID { return maps.Clone(s.gone) }

// Recall returns the set with a memory as Memory told it, in place of its own. Ids that the
// set has are passed over: they are not gone.
func (s *Set) Recall(memory map[ID]ID) *Set {
	out := *s
	out.gone = maps.Clone(memory)
	maps.DeleteFunc(out.gone, func(id, _ ID) bool { _, known := s.finest[id]; return known })
	if out.gone == nil {
		out.gone = map[ID]ID{}
	}
	return &out
}
