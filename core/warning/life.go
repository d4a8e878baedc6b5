package warning

import "fmt"

// life is where one zone is in the life of one warning.
type life uint8

// A zone is quiet until it is warned. Three ends are final for the warning, but a zone
// that left may be warned again by the same warning.
const (
	quiet life = iota
	preparing
	sheltering
	cleared
	cancelled
	expired
	lives // how many there are
)

var lifeNames = [lives]string{"quiet", "prepare", "shelter", "all-clear", "cancelled", "expired"}

func (l life) String() string {
	if l >= lives {
		return fmt.Sprintf("?%d", uint8(l))
	}
	return lifeNames[l]
}

// inForce reports whether people in the zone are told to do something.
func (l life) inForce() bool { return l == preparing || l == sheltering }

// mover is what may move a zone from one life to the next.
type mover uint8

// policy is the automatic decision, operator and authority are persons, clock is time
// passing without news.
const (
	policy mover = 1 << iota
	operator
	authority
	clock
)

var persons = operator | authority

// steps is the whole life of a zone in a warning: from, to, and who may do it. What is
// not in it does not happen. What it says in words:
//
//   - One comes out of a shelter by an end and by nothing else: there is no step back to
//     prepare, because "stay near it" would be an all-clear that nobody gave.
//   - Policy gives the all-clear (on positive evidence) but never says "it was our
//     mistake": only a person can know that.
//   - Time alone can do two things: let a warning expire, and forget an end that has
//     been on the board for its hour.
//   - An end is not changed into another one.
var steps = [lives][lives]mover{
	quiet: {
		preparing:  policy | persons, // an operator by confirming what the policy proposes
		sheltering: policy | persons,
	},
	preparing: {
		sheltering: policy | persons,
		cleared:    policy | persons,
		cancelled:  persons,
		expired:    clock,
	},
	sheltering: {
		cleared:   policy | persons,
		cancelled: persons,
		expired:   clock,
	},
	cleared:   {quiet: clock, preparing: policy | persons, sheltering: policy | persons},
	cancelled: {quiet: clock, preparing: policy | persons, sheltering: policy | persons},
	expired:   {quiet: clock, preparing: policy | persons, sheltering: policy | persons},
}

// allowed reports whether by may move a zone from one life to another.
func allowed(from, to life, by mover) bool {
	return from < lives && to < lives && steps[from][to]&by != 0
}

// lifeOf is the life of a stage in force.
func lifeOf(s Stage) life {
	switch s {
	case Prepare:
		return preparing
	case Shelter:
		return sheltering
	default:
		return quiet
	}
}

// lifeAfter is the life after an end.
func lifeAfter(e End) life {
	switch e {
	case AllClear:
		return cleared
	case Cancelled:
		return cancelled
	case Expired:
		return expired
	default:
		return quiet
	}
}

// moverOf is the mover an issuer is.
func moverOf(b By) mover {
	switch b {
	case ByOperator:
		return operator
	case ByAuthority:
		return authority
	default:
		return policy
	}
}
