;; wasm2c --mode gs --name prog --casts
;; Of type $quiet nothing throws, so its callers do not look: what a function of
;; another type throws there is a trap. Callers of $loud look themselves.
(module
  (import "env" "memory" (memory 1))
  (type $quiet (func (result i32)))
  (type $loud (func (param i32)))
  (tag $e (param i32))
  (table (export "table") 4 funcref)
  (elem (i32.const 1) $one $thrower)
  (func $one (type $quiet) (i32.const 1))
  (func $thrower (type $loud) (throw $e (local.get 0)))
  (func (export "call") (param $f i32) (result i32)
    try
      (call_indirect (type $loud) (i32.const 7) (local.get $f))
    catch $e
      drop
    end
    (call_indirect (type $quiet) (local.get $f))))
