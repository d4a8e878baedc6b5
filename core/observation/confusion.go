package observation

import (
	"errors"
	"fmt"
	"math"

	"tocsin/core/class"
)

// Confusion is a source's confusion matrix, as measured on objects whose class was known:
// Confusion[real][said] is how often it says one class of an object that is another. Each
// row sums to one, the row and the column of class.Unknown too. The zero value is no
// matrix: the source is taken at its word.
type Confusion [class.Count]class.Mix

const (
	// rowSlack is how far from one a row may sum: people write figures to a few digits.
	rowSlack = 1e-6
	// confusionDoubt is the chance that the matrix does not hold for an object, and any word
	// is as likely as another. What was measured on a few hundred objects shows no rarer
	// error, and no row of a class may be ruled out for ever by one word.
	confusionDoubt = 0.03
)

// Given reports whether there is a matrix.
func (c Confusion) Given() bool { return c != Confusion{} }

// Check names the first row that is no probability over what may be said.
func (c Confusion) Check() error {
	if !c.Given() {
		return nil
	}
	for _, kind := range class.All() {
		if err := CheckRow(c[kind]); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

// CheckRow says what is wrong with one row of a Confusion.
func CheckRow(row class.Mix) error {
	sum := 0.0
	for said, p := range row {
		if !(p >= 0 && p <= 1) {
			return fmt.Errorf("%s: %v is no probability, from 0 to 1", class.Class(said), p)
		}
		sum += p
	}
	if sum == 0 {
		return errors.New("missing; say how often each class is said of it")
	}
	if math.Abs(sum-1) > rowSlack {
		return fmt.Errorf("its figures sum to %.6g; they must sum to 1", sum)
	}
	return nil
}

// Means is what words mean that the source said: how likely they are under each real class,
// scaled to sum to one, which is the belief of who knew nothing before. Words that are a
// mean of many count for one word of that mixture. No class ever gets nothing. Without a
// valid matrix, or where nothing was said, the words come back as they are.
func (c Confusion) Means(words class.Mix) class.Mix {
	said := words.Normal()
	if !said.Said() || !c.Given() || c.Check() != nil {
		return words
	}
	var means class.Mix
	for kind := range c {
		log := 0.0
		for word, share := range said {
			if share > 0 {
				log += share * math.Log((1-confusionDoubt)*c[kind][word]+confusionDoubt/float64(class.Count))
			}
		}
		means[kind] = math.Exp(log)
	}
	return means.Normal()
}
