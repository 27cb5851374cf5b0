-- Operations of the engine's table: methods of tensors, and functions. Their arguments are
-- described by the table; what they mean is said here.
return {
  add = {
    "The sum a + b, element by element; also a + b. Shapes broadcast.",
    args = { a = "any shape; a number is fine for one of the two", b = "likewise" },
    errors = "shapes that do not broadcast",
    example = "local y = mlpl.ones(2, 3):add(mlpl.tensor { 1, 2, 3 })\nassert(y[1][3]:item() == 4)",
  },
}
