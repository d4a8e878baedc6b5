package registration

import "math"

func apply(m *mat3, v vec3) vec3 {
	return vec3{
		m[0][0]*v[0] + m[0][1]*v[1] + m[0][2]*v[2],
		m[1][0]*v[0] + m[1][1]*v[1] + m[1][2]*v[2],
		m[2][0]*v[0] + m[2][1]*v[1] + m[2][2]*v[2],
	}
}

// applyT is the transposed matrix times a vector.
func applyT(m *mat3, v vec3) vec3 {
	return vec3{
		m[0][0]*v[0] + m[1][0]*v[1] + m[2][0]*v[2],
		m[0][1]*v[0] + m[1][1]*v[1] + m[2][1]*v[2],
		m[0][2]*v[0] + m[1][2]*v[1] + m[2][2]*v[2],
	}
}

func dot(a, b vec3) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

func norm(a vec3) float64 { return math.Sqrt(dot(a, a)) }

func scaled(a vec3, k float64) vec3 { return vec3{a[0] * k, a[1] * k, a[2] * k} }

func sum(a, b vec3) vec3 { return vec3{a[0] + b[0], a[1] + b[1], a[2] + b[2]} }

func minus(a, b vec3) vec3 { return vec3{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }

// spread adds k u uᵀ to a covariance.
func (p *spread) add(u vec3, k float64) {
	for i := range 3 {
		for j := range 3 {
			p[i][j] += k * u[i] * u[j]
		}
	}
}

// spread is a covariance of a place.
type spread mat3

// root is the lower Cholesky factor, and whether there is one.
func (p *spread) root() (l mat3, ok bool) {
	for i := range 3 {
		for j := 0; j <= i; j++ {
			s := p[i][j]
			for k := range j {
				s -= l[i][k] * l[j][k]
			}
			if i == j {
				if !(s > 1e-12) || math.IsInf(s, 0) {
					return l, false
				}
				l[i][i] = math.Sqrt(s)
				continue
			}
			l[i][j] = s / l[j][j]
		}
	}
	return l, true
}

// whitened solves l x = v.
func whitened(l *mat3, v vec3) (x vec3) {
	for i := range 3 {
		s := v[i]
		for j := range i {
			s -= l[i][j] * x[j]
		}
		x[i] = s / l[i][i]
	}
	return x
}

func finite(vs ...float64) bool {
	for _, v := range vs {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
