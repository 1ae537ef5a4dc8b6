# problem: first
#!/bin/bash

square() {
  local -i n=$1
  echo $((n * n))
}

main() {
  local number
  IFS= read -r number
  square "$number"
}

main "$@"
