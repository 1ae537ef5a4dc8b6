// As much of an assertion package as the tests ask for: it ends the program.
type asserter struct{}

var assert asserter

func (asserter) New(_ *testing.T) asserter { return asserter{} }

func (asserter) Equal(expected, got interface{}, _ ...interface{}) {
	if !reflect.DeepEqual(expected, got) {
		fmt.Println("expected", expected, "got", got)
		os.Exit(1)
	}
}
