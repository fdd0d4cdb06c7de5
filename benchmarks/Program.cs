using System.CommandLine;
using Merge.Benchmarks;

var root = new RootCommand("Makes large checkpoints and compares merging them with copying the same bytes.")
{
    GenerateLlama.Command(),
    GenerateAdapter.Command(),
    GenerateSparse.Command(),
    Floor.Command(),
    Compare.Command(),
    Generation.Command(),
};
try
{
    return root.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception error) when (error is IOException or InvalidOperationException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}
