// Boost's any is the standard library's by now.
#include <any>
namespace boost {
using std::any;
using std::any_cast;
}
